
/*
 * Copyright (C) The Tailgate authors
 *
 * The daemon's life: sockets, routes, signals, reload, end.
 */

#ifndef AUTHD_SERVER_H_INCLUDED_
#define AUTHD_SERVER_H_INCLUDED_

#include "authd/authd.h"


/*
 * Runs the daemon by the configuration in file until it is told to stop.
 * Returns the exit code of the program.
 */

int authd_server_run(const char *file);


#endif /* AUTHD_SERVER_H_INCLUDED_ */
