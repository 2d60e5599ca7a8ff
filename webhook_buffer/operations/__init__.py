"""Operations on a deployed buffer, on AWS and on the laptop alike."""
