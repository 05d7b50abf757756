#!/usr/bin/env bash
# Fetches NVIDIA's MPS control program with its server, as debian.sh says, and prints the control program's path.
exec bash "$(dirname "$0")/debian.sh" nvidia-cuda-mps usr/bin/nvidia-cuda-mps-control
