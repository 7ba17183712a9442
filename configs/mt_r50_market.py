# As cc_r50_market.py, with a mean teacher.
_base_ = 'cc_r50_market.py'

model = dict(type='TaughtClassifier', head=dict(memory=dict(type='MeanTeacherMemory')))
custom_hooks = [dict(type='TeacherHook')]
