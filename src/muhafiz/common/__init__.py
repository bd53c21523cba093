"""What every room may know: who acts, what is refused, what time it is, how a thing is named."""
