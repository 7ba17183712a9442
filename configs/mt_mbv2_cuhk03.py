# As cc_mbv2_cuhk03.py, with a mean teacher.
_base_ = 'cc_mbv2_cuhk03.py'

model = dict(type='TaughtClassifier', head=dict(memory=dict(type='MeanTeacherMemory')))
custom_hooks = [dict(type='InitialValidationHook'), dict(type='TeacherHook')]
