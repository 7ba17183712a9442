# As baseline_r50_market.py, tested on data sets of other cameras, too, each with its
# own row. `--data-root` of tools/test.py is the folder of all of them.
_base_ = 'baseline_r50_market.py'

test_dataloader = dict(
    dataset=dict(
        type='JointReID',
        data_root='data',
        datasets=dict(
            market=dict(type='Market1501', data_root='market1501'),
            duke=dict(type='DukeMTMCreID', data_root='dukemtmc_reid'),
            msmt17=dict(type='MSMT17', data_root='msmt17'),
        ),
    )
)
test_evaluator = dict(type='JointReIDMetric')
