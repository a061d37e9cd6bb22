# Copyright (C) The Tailgate authors

"""What the application tests share: installs, processes, a browser, a front."""
