/*
 * What errno says, in words, for the few errors that files and sockets have: the libc's own table
 * of all of them is 2 kB in a program that counts its bytes.
 */
#ifndef BASE_ERRNO_TEXT_H
#define BASE_ERRNO_TEXT_H

/* A static text, in the libc's words; "error N" for a number that is not in the table. */
const char *errno_text(int number);

#endif
