#pragma once
// curl_easy_setopt and its kin are variadic, which Swift cannot import: one typed wrapper per kind of argument.
#include <curl/curl.h>
