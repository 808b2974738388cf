"""Many runs from one description: on this machine or on a cluster, and one table at the end."""
