# Copyright (C) The Tailgate authors

import os
import sys

from tailgate_test import ROOT

# the daemon, as its own tests start it
sys.path.append(os.path.join(ROOT, "t", "authd"))
