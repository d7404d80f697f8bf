from gfdocs.cli import main

main()
