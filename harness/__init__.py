"""Prove, in real guests, whether an instance's disks stay where they are while it is rescued.

The map of the house, from the entrances down. A room imports only from rooms below it.

commands/        the command line, a file a command
pytest_plugin/   scenarios as tests, and a rescued guest for users' own tests
benchmark/       speed and size, as ratios
api.py           the one face for Python callers
report/          results made readable: for the terminal, and as Markdown
study/           many cases for one question: sweep, explore, prove, compare, rates
run/             the one on-ramp, the engine, the pool of cases, the session that they share
level/           one sequence for a case, at level plan, machine or guest
instance/        an instance made ready and brought from state to state, with its disks and servers
reading/         scenario files read, checked and expanded to cases
result/          results, and the folders that hold them
implementation/  the implementations under test: the reference, and any Nova
guest/           a running guest: console, SSH, testinfra
verdict/         claims, and the findings against them
hypervisor/      connections, versions, state folders, the accelerator
evidence/        inventories of an instance's states, a room a level
image/           guest and rescue images, built and cached
domain/          domain XML, the mapping of disks, addresses
scenario/        the content of a scenario file, as values only
"""

import os

__version__ = "0.1.0"

# libvirt reads this when it is loaded: the embedded driver would log to the user's terminal. Its errors reach us as
# exceptions.
os.environ.setdefault("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null")
