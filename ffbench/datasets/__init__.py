"""Where the files of a dataset lie and what they mean: still images, clips, and the licensed datasets."""
