#include "jose/key_impl.h"

namespace mandate::jose {

bool is_roca(const BIGNUM* n) {
  static constexpr unsigned kPrimes[] = {3,  5,  7,  11, 13, 17, 19, 23, 29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
                                         73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
  for (const unsigned p : kPrimes) {
    const BN_ULONG residue = BN_mod_word(n, p);
    bool is_power = false;
    unsigned power = 1;
    do {
      is_power = power == residue;
      power = power * (65537 % p) % p;
    } while (!is_power && power != 1);
    if (!is_power) return false;
  }
  return true;
}

}  // namespace mandate::jose
