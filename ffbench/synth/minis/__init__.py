"""Mini datasets: small synthetic stand-ins in the layouts of licensed datasets."""
