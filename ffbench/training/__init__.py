"""Training of flow networks: recipes, data streams, augmentation, and the loop on Lightning Fabric.

It knows no network by name: a method offers itself as a `TrainableNetwork` through the entry-point group
`ffbench.trainers`.
"""
