"""Model repositories of the Hugging Face Hub: what names one, fetching a model folder, and uploading one."""
