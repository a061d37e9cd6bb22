
/*
 * Copyright (C) The Tailgate authors
 *
 * Clicks go from the index to the store every few seconds, and at the end.
 * What the store does not take is kept, and given to it again.
 */

#include "authd/app/links/app.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>


#define FLUSH_MSEC  3000
#define FLUSH_MAX   10000          /* links at a time */
#define DAY         86400


static void on_flush(tgn_timer_t *timer, void *data);
static void on_flushed(void *data, const authd_store_answer_t *answer);


bool
authd_links_flush_start(authd_links_t *app)
{
    app->flush = tgn_timer_new(app->authd->loop, on_flush, app);
    app->flushed = calloc(FLUSH_MAX, sizeof(authd_store_clicks_t));

    if (app->flush == NULL || app->flushed == NULL) {
        authd_log(&app->authd->log, AUTHD_LOG_ERROR, "out of memory");
        return false;
    }

    tgn_timer_start(app->flush, FLUSH_MSEC, FLUSH_MSEC);

    return true;
}


void
authd_links_flush(authd_links_t *app)
{
    if (app->flushing) {
        return;
    }

    if (app->nflushed == 0) {
        app->nflushed = authd_links_index_fresh(app->index, app->flushed,
                                                FLUSH_MAX,
                                                (int32_t) (time(NULL) / DAY));
    }

    if (app->nflushed == 0) {
        return;
    }

    app->flushing = authd_store_add_clicks(app->store, app->flushed,
                                           app->nflushed, false, on_flushed,
                                           app)
                    == TG_OK;
}


static void
on_flush(tgn_timer_t *timer, void *data)
{
    (void) timer;

    authd_links_flush(data);
}


static void
on_flushed(void *data, const authd_store_answer_t *answer)
{
    bool            more;
    authd_links_t  *app;

    app = data;
    app->flushing = false;

    /* without results, its text says whether it was done */

    if (answer->text[0] != '\0') {
        return;
    }

    /*
     * Clicks that came in the meantime wait for their turn, or each commit
     * would be followed by another.  At the end, when there is no timer any
     * more, there is none.
     */

    more = app->nflushed == FLUSH_MAX || app->flush == NULL;
    app->nflushed = 0;

    if (more && authd_links_index_nfresh(app->index) != 0) {
        authd_links_flush(app);
    }
}
