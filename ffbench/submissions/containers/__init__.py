"""What a submission comes in: a folder or an archive, read as files under safe names."""
