
/*
 * Copyright (C) The Tailgate authors
 *
 * Another program and what it says.
 */

#include <cli/run.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>


extern char  **environ;


static int spawn(char *const *argv, int out, pid_t *pid);
static void drain(int fd, cli_run_t *run);


int
cli_run(char *const *argv, cli_run_t *run)
{
    int    error, status, fds[2];
    pid_t  pid;

    run->status = 0;
    run->len = 0;
    run->output[0] = '\0';

    if (pipe2(fds, O_CLOEXEC) == -1) {
        return errno;
    }

    error = spawn(argv, fds[1], &pid);

    (void) close(fds[1]);

    if (error == 0) {
        drain(fds[0], run);

        while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {
            /* void */
        }

        run->status = WIFEXITED(status) ? WEXITSTATUS(status)
                                        : 128 + WTERMSIG(status);
    }

    (void) close(fds[0]);

    return error;
}


static int
spawn(char *const *argv, int out, pid_t *pid)
{
    int                         error;
    sigset_t                    none;
    posix_spawnattr_t           attr;
    posix_spawn_file_actions_t  actions;

    error = posix_spawn_file_actions_init(&actions);

    if (error != 0) {
        return error;
    }

    error = posix_spawnattr_init(&attr);

    if (error != 0) {
        (void) posix_spawn_file_actions_destroy(&actions);
        return error;
    }

    /* what the caller holds back is not for the program to hold back */

    (void) sigemptyset(&none);
    (void) posix_spawnattr_setsigmask(&attr, &none);

    error = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);

    if (error == 0) {
        error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
                                                 "/dev/null", O_RDONLY, 0);
    }

    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(&actions, out,
                                                 STDOUT_FILENO);
    }

    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(&actions, out,
                                                 STDERR_FILENO);
    }

    if (error == 0) {
        error = posix_spawnp(pid, argv[0], &actions, &attr, argv, environ);
    }

    (void) posix_spawnattr_destroy(&attr);
    (void) posix_spawn_file_actions_destroy(&actions);

    return error;
}


static void
drain(int fd, cli_run_t *run)
{
    char     rest[4096];
    ssize_t  n;

    for ( ;; ) {

        if (run->len < CLI_RUN_OUTPUT_MAX) {
            n = read(fd, run->output + run->len,
                     CLI_RUN_OUTPUT_MAX - run->len);
            run->len += n > 0 ? (size_t) n : 0;

        } else {
            n = read(fd, rest, sizeof(rest));
        }

        if (n == 0 || (n == -1 && errno != EINTR)) {
            break;
        }
    }

    run->output[run->len] = '\0';
}
