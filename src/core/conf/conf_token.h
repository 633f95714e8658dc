#pragma once
/* The words of a configuration file, for core/conf_syntax. */

#include <stdbool.h>
#include <stddef.h>

typedef enum TokenKind { TOKEN_END, TOKEN_STRING, TOKEN_WORD, TOKEN_PUNCT } TokenKind;

/* A span of the text; a string has its quotes. */
typedef struct Token {
    TokenKind kind;
    const char *start;
    size_t len;
    unsigned line;
} Token;

typedef struct Lexer {
    const char *at, *end; /* what lies ahead */
    unsigned line;
} Lexer;

/* All return NULL, or what is wrong, and set *ret_line to the line where it is. */
const char *lexer_begin(Lexer *l, const char *text, size_t len, unsigned *ret_line); /* is it UTF-8 without NUL? */
/* `as_value`: ':' and '/' are part of a word, so that a date or an address without quotes is one word. */
const char *lexer_next(Lexer *l, bool as_value, Token *ret, unsigned *ret_line);

/* Is the next byte, after blanks and comments, one of these? */
bool lexer_peek_is(const Lexer *l, const char *bytes);
/* From `first` to where its value ends, had it stood in quotes: before a separator, a comment or the end of the line.
 */
Token lexer_rest_of_value(const Lexer *l, const Token *first);

bool token_is_name(const Token *t);
bool token_is_scalar(const Token *t); /* a word that is a number or a boolean */
bool token_is_number(const Token *t);
/* A number: '1' of 32 bits, 'L' of 64, '.' no whole one. */
char token_number_kind(const Token *t);
bool token_is_long_number(const Token *t); /* whole, needs 64 bits, and does not say so */
