/* What an attempt to move bytes came to, on any kind of stream. */
#ifndef NET_IO_H
#define NET_IO_H

enum io_result {
	IO_OK,   /* something was done */
	IO_WAIT, /* nothing can be done now */
	IO_EOF,  /* the peer has ended the stream properly */
	IO_CUT,  /* TLS only: the connection ended without the peer's close_notify */
	IO_LOST, /* reset or broken; the struct err (ERR_RETRY) says how */
	IO_BAD   /* the peer is not who or what it should be; the struct err says how */
};

#endif
