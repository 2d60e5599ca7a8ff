"""What is done with a deployed buffer, on AWS and on the laptop alike."""
