"""What excites a unit of a network, and what a unit looks at: its derivative by the data, as a picture.

Enters: a network, values of its parameters, a unit. Leaves: data that excite the unit, or how much each entry
of an example counts, as arrays and pictures. Must not know: training, files, the command line.

Activation maximisation is due to Erhan, Bengio, Courville and Vincent 2009, saliency maps to Simonyan,
Vedaldi and Zisserman 2013.
"""
