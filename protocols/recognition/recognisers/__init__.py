"""The recognisers that come with ffbench; each is an entry of the group `ffbench.recognisers`."""
