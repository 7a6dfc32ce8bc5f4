"""What a user does with the cluster, one file each: `check(cluster)` raises what is wrong, and says what it saw."""
