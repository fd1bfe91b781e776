"""The documents' tables as data, and the experiments that put this course's figures beside them.

An experiment is many trainings in one folder. Stopped and started again, it goes on where it was:
finished trainings are read, and the one that was interrupted is resumed.
"""
