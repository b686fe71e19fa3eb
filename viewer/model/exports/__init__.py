"""What an export would write, and the jobs that write it."""
