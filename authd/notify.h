
/*
 * Copyright (C) The Tailgate authors
 *
 * What systemd wants to hear of a service (sd_notify(3)) and passes to it
 * (sd_listen_fds(3)), without libsystemd.
 */

#ifndef AUTHD_NOTIFY_H_INCLUDED_
#define AUTHD_NOTIFY_H_INCLUDED_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


/*
 * Sends state ("READY=1\nSTATUS=...") to $NOTIFY_SOCKET.  Returns whether it
 * was sent; there being no such socket is no fault, and gives false too.
 */

bool authd_notify(const char *state);

/* READY, and RELOADING with the clock that systemd wants beside it. */

bool authd_notify_ready(const char *status);
bool authd_notify_reloading(void);

/*
 * Milliseconds between two WATCHDOG=1 that systemd expects of this process, by
 * $WATCHDOG_USEC and $WATCHDOG_PID; 0: none.
 */

uint64_t authd_notify_watchdog(void);


#define AUTHD_LISTEN_FDS_START  3
#define AUTHD_LISTEN_FDS_MAX    16

/*
 * The number of sockets passed to this process, by $LISTEN_PID and
 * $LISTEN_FDS: descriptors AUTHD_LISTEN_FDS_START and up, which get
 * FD_CLOEXEC.  0 without any, -1 when the variables make no sense.  They are
 * unset, so that no child takes them for its own.
 */

int authd_listen_fds(void);


#endif /* AUTHD_NOTIFY_H_INCLUDED_ */
