"""`python -m wavesim`."""

from wavesim.cli.main import main

main()
