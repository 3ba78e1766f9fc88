"""Reading, checking and counting datasets of any size: pure, streaming, no network, no screen."""
