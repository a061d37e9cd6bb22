
/*
 * Copyright (C) The Tailgate authors
 *
 * Addresses in one canonical form: an IPv4-mapped IPv6 address is the IPv4
 * address it maps, zone ids do not exist.
 */

#ifndef TAILGATE_ADDR_H_INCLUDED_
#define TAILGATE_ADDR_H_INCLUDED_

#include <tailgate/base.h>

#include <sys/socket.h>


typedef enum {
    TG_ADDR_NONE = 0,          /* not known */
    TG_ADDR_V4,
    TG_ADDR_V6,
    TG_ADDR_UNIX               /* an AF_UNIX socket: no address to speak of */
} tg_addr_family_t;


/* bytes holds 4 or 16 bytes in network order, the rest is zero. */

typedef struct {
    uint8_t   family;          /* tg_addr_family_t */
    uint8_t   bytes[16];
    uint16_t  port;            /* host order, 0 where there is none */
} tg_addr_t;

typedef struct {
    tg_addr_t  addr;           /* host bits are zero, port is 0 */
    uint8_t    prefix;         /* 0 to 32 or 128 */
} tg_cidr_t;


/* "[" + INET6_ADDRSTRLEN + "]:65535" + NUL fits. */

#define TG_ADDR_TEXT_MAX  64


/*
 * From what the kernel reported.  Returns TG_OK, or TG_ERR_TYPE for a family
 * that is neither AF_INET, AF_INET6 nor AF_UNIX, or for a length too short for
 * its family; *addr is then TG_ADDR_NONE.  An IPv6 link-local scope is refused
 * with TG_ERR_REFUSED: a zone id names nobody on a tailnet.
 */

int tg_addr_from_sockaddr(tg_addr_t *addr, const struct sockaddr *sockaddr,
    socklen_t len);

/*
 * From text: "1.2.3.4", "1.2.3.4:80", "::1", "[::1]", "[::1]:80".  Returns
 * TG_OK, TG_ERR_SYNTAX, or TG_ERR_REFUSED for a zone id.  Leading or trailing
 * blanks, a prefix length and an octet with a leading zero are TG_ERR_SYNTAX.
 */

int tg_addr_parse(tg_addr_t *addr, const char *text, size_t len);

/*
 * To text, NUL-terminated: the address alone, or with its port ("1.2.3.4:80",
 * "[::1]:80").  Returns the length without the NUL; buf must have
 * TG_ADDR_TEXT_MAX bytes.  TG_ADDR_NONE is "-", TG_ADDR_UNIX is "unix:".
 */

size_t tg_addr_format(const tg_addr_t *addr, bool with_port,
    char buf[TG_ADDR_TEXT_MAX]);

/* The same address, whatever the ports.  NONE and UNIX equal nothing. */

bool tg_addr_equal(const tg_addr_t *a, const tg_addr_t *b);

/* In 100.64.0.0/10 or fd7a:115c:a1e0::/48 (tailscale net/tsaddr). */

bool tg_addr_is_tailnet(const tg_addr_t *addr);

/* In 127.0.0.0/8 or ::1. */

bool tg_addr_is_loopback(const tg_addr_t *addr);

/*
 * "10.0.0.0/8", "fd7a::/16", or a bare address as a prefix of all its bits.
 * An IPv4-mapped prefix of 96 bits or more is the IPv4 prefix; a shorter one
 * is refused.  Returns TG_OK, TG_ERR_SYNTAX, or TG_ERR_RANGE when host bits
 * are set.
 */

int tg_cidr_parse(tg_cidr_t *cidr, const char *text, size_t len);

bool tg_cidr_match(const tg_cidr_t *cidr, const tg_addr_t *addr);


#endif /* TAILGATE_ADDR_H_INCLUDED_ */
