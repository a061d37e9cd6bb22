
/*
 * Copyright (C) The Tailgate authors
 *
 * From a value of authd.yaml to a field of authd_config_t: one setter for each
 * kind of value.  For config.c alone.
 */

#ifndef AUTHD_CONFIG_VALUE_H_INCLUDED_
#define AUTHD_CONFIG_VALUE_H_INCLUDED_

#include "authd/config.h"
#include "core/base/yaml.h"


typedef struct {
    authd_config_t          *conf;
    tg_alloc_t               alloc;
    const char              *file;
    authd_config_report_pt   report;
    void                    *data;
    bool                     failed;
    bool                     is_default;   /* the value is not of the file */
} authd_config_load_t;

typedef struct authd_config_key_s  authd_config_key_t;

/* A setter reports faults through authd_config_fail(), and goes on. */

typedef void (*authd_config_set_pt)(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);

struct authd_config_key_s {
    const char           *section; /* NULL: at the top */
    const char           *name;
    authd_config_set_pt   set;
    size_t                offset;  /* of the field, where the setter needs it */
    uint64_t              min;
    uint64_t              max;
    const char           *value;   /* the default, as YAML */
    bool                  fixed;   /* a reload cannot change it */
    const char           *doc;     /* lines joined by "\n" */
};


void authd_config_fail(authd_config_load_t *load, size_t line,
    const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The table, in the order of the shipped file. */

extern const authd_config_key_t  authd_config_keys[];
extern const size_t              authd_config_nkeys;

/* Reports what root holds besides the keys of the table. */

void authd_config_check(authd_config_load_t *load, const tgi_yaml_t *root);

/* The value that root has for key, or NULL. */

const tgi_yaml_t *authd_config_find(const tgi_yaml_t *root,
    const authd_config_key_t *key);

/* Its default, or NULL with a report. */

const tgi_yaml_t *authd_config_default(authd_config_load_t *load,
    const authd_config_key_t *key);

/* Bytes as a mapping; false with a report. */

bool authd_config_tree(authd_config_load_t *load, const char *bytes,
    size_t len, tgi_yaml_t **root);

/*
 * A file as bytes, which are the caller's to free; false with a report.  Of a
 * file that is longer than AUTHD_CONFIG_MAX, or max, one byte more is read, for
 * whoever reads it to see.
 */

#define AUTHD_CONFIG_MAX  (256 * 1024)

bool authd_config_read(const char *file, size_t max, char **bytes,
    size_t *len, authd_config_report_pt report, void *data);

/* The policy file that conf names, if it names one; false with a report. */

bool authd_config_rules(authd_config_t *conf, authd_config_report_pt report,
    void *data);

/* From the configuration's memory; a failure is reported. */

void *authd_config_alloc(authd_config_load_t *load, size_t size);

/*
 * The text of a node that has to be one value, or have to be a list of words;
 * NULL and false with a report.
 */

const char *authd_config_scalar(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
bool authd_config_is_list(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);

/*
 * A user or group by name or number; false when there is none.  *members, NULL
 * or ending with a NULL, point into *buffer, which is the caller's to free.
 */

bool authd_config_user(const char *name, uid_t *uid);
bool authd_config_group(const char *name, gid_t *gid, char ***members,
    char **buffer);

void authd_config_set_path(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_localapi(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_audit(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_mode(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_group(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_tcp(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_hosts(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_senders(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_msec(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_count(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_size(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_policy(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_peers(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_tailnets(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_services(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_secrets(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_log_level(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_log_format(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_links_listen(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_links_store(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_links_fallback(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_links_admins(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);
void authd_config_set_links_flag(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node);


#endif /* AUTHD_CONFIG_VALUE_H_INCLUDED_ */
