"""Archives that nobody has vouched for, read member by member and never unpacked: zip files as if they were folders."""
