"""Where a submission's code runs: a bare system without a network, with limits, and by itself.

Read in this order: `bubblewrap` (the command that runs a program in the sandbox), `packages` (what
of the Python environment it can import), `seccomp` (the system calls that it cannot make),
`cgroups` and `monitor` (what its processes take together), `kernels` (how nbclient starts a kernel
in it), `prefork` and `forkserver` (kernels forked from a process that has imported the packages).
docs/grading.md says what the sandbox keeps and what it does not.
"""
