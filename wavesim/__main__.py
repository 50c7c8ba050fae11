from wavesim.cli.main import main

main()
