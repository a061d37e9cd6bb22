
/*
 * Copyright (C) The Tailgate authors
 *
 * Which characters may stand where: RFC 9110 5.5 and 5.6.2.
 */

#include <net/http/http.h>


/* A bit for each character of a token: the printable ones but delimiters. */

static const uint32_t  token[] = {
    0x00000000,    /* ????  ????  ????  ????  ????  ????  ????  ???? */
    0x03ff6cfa,    /* ?>=<  ;:98  7654  3210  /.-,  +*)(  '&%$  #"!  */
    0xc7fffffe,    /* _^]\  [ZYX  WVUT  SRQP  ONML  KJIH  GFED  CBA@ */
    0x57ffffff     /*  ~}|  {zyx  wvut  srqp  onml  kjih  gfed  cba` */
};


bool
tgn_is_token(const char *text, size_t len)
{
    size_t         i;
    unsigned char  ch;

    for (i = 0; i < len; i++) {
        ch = (unsigned char) text[i];

        if (ch > 127 || !(token[ch >> 5] & (UINT32_C(1) << (ch & 0x1f)))) {
            return false;
        }
    }

    return len != 0;
}


bool
tgn_is_value(const char *text, size_t len)
{
    size_t         i;
    unsigned char  ch;

    for (i = 0; i < len; i++) {
        ch = (unsigned char) text[i];

        if ((ch < ' ' && ch != '\t') || ch == 127) {
            return false;
        }
    }

    return true;
}
