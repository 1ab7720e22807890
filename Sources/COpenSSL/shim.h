#pragma once
// OpenSSL's function-like macros and variadics, which Swift cannot import, as functions.
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/// TLS 1.2 is the least; sessions release their buffers while idle; writes may be partial and move.
static inline void co_ctx_prepare(SSL_CTX *context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}

/// One certificate after the leaf.
static inline int co_ctx_add_chain(SSL_CTX *context, X509 *certificate) {
  return SSL_CTX_add1_chain_cert(context, certificate) == 1;
}

/// Calls `choose` for the name that a client asks for.
static inline void co_ctx_on_server_name(SSL_CTX *context, int (*choose)(SSL *, int *, void *), void *argument) {
  SSL_CTX_set_tlsext_servername_callback(context, choose);
  SSL_CTX_set_tlsext_servername_arg(context, argument);
}

static inline int co_set_server_name(SSL *session, const char *name) {
  return SSL_set_tlsext_host_name(session, name) == 1;
}

/// The bytes of a memory BIO, valid while it lives.
static inline long co_bio_bytes(BIO *bio, const char **bytes) { return BIO_get_mem_data(bio, (char **)bytes); }

/// A new EC key on P-256.
static inline EVP_PKEY *co_new_p256_key(void) { return EVP_EC_gen("P-256"); }

/// SHA-256 of a certificate's SubjectPublicKeyInfo (RFC 5280, 4.1): 32 bytes.
static inline int co_public_key_digest(X509 *certificate, unsigned char *digest) {
  unsigned char *encoded = NULL;
  int count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded);
  if (count <= 0) return 0;
  int done = EVP_Digest(encoded, (size_t)count, digest, NULL, EVP_sha256(), NULL);
  OPENSSL_free(encoded);
  return done == 1;
}

/// Adds an extension given in the syntax of x509v3_config(5), `issuer` signing `subject`.
static inline int co_add_extension(X509 *subject, X509 *issuer, int nid, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, subject, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  if (!extension) return 0;
  int added = X509_add_ext(subject, extension, -1);
  X509_EXTENSION_free(extension);
  return added;
}

/// The read or write would block; the protocol's or the peer's error; see co_read.
enum { CO_WANTS_READ = -1, CO_WANTS_WRITE = -2, CO_CLOSED = -3, CO_FAILED = -4 };

static inline int co_outcome(SSL *session, int result) {
  switch (SSL_get_error(session, result)) {
    case SSL_ERROR_WANT_READ: return CO_WANTS_READ;
    case SSL_ERROR_WANT_WRITE: return CO_WANTS_WRITE;
    case SSL_ERROR_ZERO_RETURN: return CO_CLOSED;
    default: return CO_FAILED;
  }
}

/// Bytes read, or one of the outcomes above. The error queue is the thread's: it is emptied before each call.
static inline int co_read(SSL *session, void *bytes, int count) {
  ERR_clear_error();
  int result = SSL_read(session, bytes, count);
  return result > 0 ? result : co_outcome(session, result);
}

static inline int co_write(SSL *session, const void *bytes, int count) {
  ERR_clear_error();
  int result = SSL_write(session, bytes, count);
  return result > 0 ? result : co_outcome(session, result);
}

/// 1 when done, or one of the outcomes above.
static inline int co_handshake(SSL *session) {
  ERR_clear_error();
  int result = SSL_do_handshake(session);
  return result == 1 ? 1 : co_outcome(session, result);
}
