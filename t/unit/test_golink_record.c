
/*
 * Copyright (C) The Tailgate authors
 *
 * Files of links.
 */

#include "t/unit/golink.h"


static tg_arena_t  *arena;
static tg_alloc_t   alloc;


static int
setup(void **state)
{
    (void) state;

    arena = tg_arena_new(4 * 1024 * 1024);
    alloc = tg_arena_allocator(arena);

    return arena == NULL;
}


static int
teardown(void **state)
{
    (void) state;

    tg_arena_free(&arena);

    return 0;
}


static void
equal(tg_str_t str, const char *text)
{
    assert_int_equal(str.len, strlen(text));

    if (str.len > 0) {
        assert_memory_equal(str.data, text, str.len);
    }
}


/* golink's own export. */

static void
test_round(void **state)
{
    tg_str_t          line;
    tg_link_record_t  record;
    tg_link_reader_t  reader;

    static const char  text[] =
        "{\"Short\":\"a\",\"Long\":\"http://h/?a=1\\u0026b=\\u003c\\u003e"
        "\\\"\\\\\\t\xc3\xa9\\u2028\",\"Created\":\"0001-01-01T00:00:00Z\","
        "\"LastEdit\":\"2022-05-31T20:04:44Z\",\"Owner\":\"a@example.com\"}\n";

    (void) state;

    tg_link_reader_init(&reader, TG_LINK_JSONL, golink_str(text));
    assert_int_equal(tg_link_read(&reader, NULL, &alloc, &record, NULL),
                     TG_OK);

    equal(record.name, "a");
    equal(record.url, "http://h/?a=1&b=<>\"\\\t\xc3\xa9\xe2\x80\xa8");
    equal(record.owner, "a@example.com");
    assert_true(record.created == TG_LINK_NO_TIME);
    assert_true(record.edited == 1654027484);

    assert_int_equal(tg_link_write(TG_LINK_JSONL, &record, &alloc, &line),
                     TG_OK);
    equal(line, text);

    assert_int_equal(tg_link_read(&reader, NULL, &alloc, &record, NULL),
                     TG_ERR_ABSENT);

    record.created = INT64_C(253402300800);
    assert_int_equal(tg_link_write(TG_LINK_JSONL, &record, &alloc, &line),
                     TG_ERR_RANGE);
}


/* A bad line is told, and is not the end. */

static void
test_jsonl(void **state)
{
    size_t            i;
    tg_error_t        error;
    tg_link_record_t  record;
    tg_link_reader_t  reader;

    static const char  text[] =
        "\xef\xbb\xbf{\"SHORT\":\"a\",\"long\":\"http://h/\",\"x\":[1]}\r\n"
        "\n"
        "{\"Short\":\"a\"\n"
        "[]\n"
        "{\"Short\":1,\"Long\":\"x\"}\n"
        "{\"Short\":\"\",\"Long\":\"x\"}\n"
        "{\"Short\":\"a\"}\n"
        "{\"Short\":\"bad name!\",\"Long\":\"x\"}\n"
        "{\"Short\":\"a\",\"short\":\"b\",\"Long\":\"x\"}\n"
        "{\"Short\":\"a\",\"Long\":\"x\",\"Created\":\"2022-02-30T00:00:00Z\"}"
        "\n"
        "{\"Short\":\"a\",\"Long\":\"x\",\"Created\":\"soon\"}\n"
        "{\"Short\":\"a\",\"Long\":\"x\",\"Owner\":\"a\\nb\"}\n"
        "{\"Short\":\"b\",\"Long\":\"x\",\"Owner\":null,"
        "\"Created\":\"2022-06-02T03:02:03.5+02:00\"}";

    static const struct {
        int     rc;
        size_t  line;
    } want[] = {
        { TG_OK, 0 },
        { TG_ERR_SYNTAX, 3 },
        { TG_ERR_TYPE, 4 },
        { TG_ERR_TYPE, 5 },
        { TG_ERR_MISSING, 6 },
        { TG_ERR_MISSING, 7 },
        { TG_ERR_SYNTAX, 8 },
        { TG_ERR_REFUSED, 9 },
        { TG_ERR_RANGE, 10 },
        { TG_ERR_SYNTAX, 11 },
        { TG_ERR_SYNTAX, 12 },
        { TG_OK, 0 },
        { TG_ERR_ABSENT, 0 },
    };

    (void) state;

    tg_link_reader_init(&reader, TG_LINK_JSONL, golink_str(text));

    for (i = 0; i < NELTS(want); i++) {
        assert_int_equal(tg_link_read(&reader, NULL, &alloc, &record, &error),
                         want[i].rc);

        if (want[i].line > 0) {
            assert_int_equal(error.line, want[i].line);
            assert_int_not_equal(error.text[0], '\0');
        }

        if (i == 11) {
            equal(record.name, "b");
            assert_true(record.created == NOW);
            assert_true(record.edited == TG_LINK_NO_TIME);
        }
    }
}


static void
test_csv(void **state)
{
    size_t            i;
    tg_error_t        error;
    tg_link_record_t  record;
    tg_link_reader_t  reader;

    static const char  text[] =
        "name,url\n"
        "a,http://h/\r\n"
        "\n"
        "b,\"http://h/?a,b\"\n"
        "c,\"x\"\"y\nz\"\n"
        "d\n"
        "e,http://h/,x\n"
        "f,x\"y\n"
        "g,\"x\"y\n"
        ",x\n"
        "h,\n"
        "name,x\n"
        "i,\"never closed\n"
        "j,x";

    static const struct {
        int          rc;
        size_t       line;
        const char  *name;
        const char  *url;
    } want[] = {
        { TG_OK, 0, "a", "http://h/" },
        { TG_OK, 0, "b", "http://h/?a,b" },
        { TG_OK, 0, "c", "x\"y\nz" },
        { TG_ERR_MISSING, 7, NULL, NULL },
        { TG_ERR_SYNTAX, 8, NULL, NULL },
        { TG_ERR_SYNTAX, 9, NULL, NULL },
        { TG_ERR_SYNTAX, 10, NULL, NULL },
        { TG_ERR_MISSING, 11, NULL, NULL },
        { TG_ERR_MISSING, 12, NULL, NULL },
        { TG_OK, 0, "name", "x" },
        { TG_ERR_SYNTAX, 14, NULL, NULL },
        { TG_OK, 0, "j", "x" },
        { TG_ERR_ABSENT, 0, NULL, NULL },
    };

    (void) state;

    tg_link_reader_init(&reader, TG_LINK_CSV, golink_str(text));

    for (i = 0; i < NELTS(want); i++) {
        assert_int_equal(tg_link_read(&reader, NULL, &alloc, &record, &error),
                         want[i].rc);

        if (want[i].name != NULL) {
            equal(record.name, want[i].name);
            equal(record.url, want[i].url);
        }

        if (want[i].line > 0) {
            assert_int_equal(error.line, want[i].line);
        }
    }
}


static void
test_csv_write(void **state)
{
    tg_str_t          line;
    tg_link_record_t  record;

    (void) state;

    memset(&record, 0, sizeof(tg_link_record_t));
    record.name = golink_str("a");
    record.url = golink_str("http://h/?a,\"b\"");

    assert_int_equal(tg_link_write(TG_LINK_CSV, &record, &alloc, &line),
                     TG_OK);
    equal(line, "a,\"http://h/?a,\"\"b\"\"\"\n");

    record.url = golink_str("x");
    assert_int_equal(tg_link_write(TG_LINK_CSV, &record, &alloc, &line),
                     TG_OK);
    equal(line, "a,x\n");
    equal(tg_link_csv_head(), "name,url\n");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_round, setup, teardown),
        cmocka_unit_test_setup_teardown(test_jsonl, setup, teardown),
        cmocka_unit_test_setup_teardown(test_csv, setup, teardown),
        cmocka_unit_test_setup_teardown(test_csv_write, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
