# As cc_r18_synthetic.py, with a mean teacher.
_base_ = 'cc_r18_synthetic.py'

model = dict(type='TaughtClassifier', head=dict(memory=dict(type='MeanTeacherMemory')))
custom_hooks = [dict(type='InitialValidationHook'), dict(type='TeacherHook')]
