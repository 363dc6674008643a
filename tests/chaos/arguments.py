"""What both runs of faults by chance are told on the command line."""

import argparse
import random


def parser(description):
    made = argparse.ArgumentParser(description=description,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--seconds", type=float, default=120, help="no round begins later")
    made.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    made.add_argument("--from", type=int, default=1, dest="first", help="the first round")
    made.add_argument("--round", type=int, dest="only", help="repeat this round alone")
    made.add_argument("--plan", type=int, help="only show so many rounds")
    return made
