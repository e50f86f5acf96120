"""Archives that nobody has vouched for, zip and tar: read as if they were folders, member by member, never unpacked."""
