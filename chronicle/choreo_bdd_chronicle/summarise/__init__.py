"""What is kept of many latencies: ``histogram`` holds how they are spread."""
