"""What commands do to tasks, patches, issues and providers, on whichever screen their keys are pressed."""
