//! The sign-flip permutation test: if no case knew a difference, each could as well have gone the other way.

/// Up to so many differences that are not 0, all ways of turning them are tried.
const MOST_ENUMERATED: usize = 16;

/// So many ways are drawn otherwise.
const DRAWS: u32 = 20_000;

/// The seed of the draws, printed wherever they were needed.
pub(super) const SEED: u64 = 20_250_630;

/// Differences below this are rounding.
const TOLERANCE: f64 = 1e-12;

/// What the test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignFlip {
    /// How often turning signs at random gives as large a sum.
    pub p: f64,
    /// The seed of the draws; `None` if all ways were tried.
    pub seed: Option<u64>,
}

/// The test over the sums of clusters; signs as observed add up to `total`.
pub(super) fn sign_flip(sums: &[f64], total: f64, seed: u64) -> SignFlip {
    let mut sizes: Vec<f64> = sums.iter().map(|sum| sum.abs()).filter(|size| *size > TOLERANCE).collect();
    sizes.sort_by(f64::total_cmp);
    let is_as_large = |sum: f64| sum.abs() >= total.abs() - TOLERANCE;
    if sizes.len() <= MOST_ENUMERATED {
        let ways = 1_u64 << sizes.len();
        let hits = (0..ways).filter(|signs| is_as_large(turned(&sizes, |n| signs >> n & 1 == 1))).count();
        return SignFlip { p: hits as f64 / ways as f64, seed: None };
    }
    let mut generator = SplitMix(seed);
    let mut signs = vec![0; sizes.len().div_ceil(64)];
    let hits = (0..DRAWS).filter(|_| {
        signs.fill_with(|| generator.next());
        is_as_large(turned(&sizes, |n| signs[n / 64] >> (n % 64) & 1 == 1))
    });
    SignFlip { p: f64::from(1 + u32::try_from(hits.count()).unwrap_or(DRAWS)) / f64::from(1 + DRAWS), seed: Some(seed) }
}

fn turned(sizes: &[f64], is_turned: impl Fn(usize) -> bool) -> f64 {
    sizes.iter().enumerate().map(|(n, size)| if is_turned(n) { -size } else { *size }).sum()
}

/// `SplitMix64` (Steele, Lea and Flood 2014): the same numbers everywhere and forever, which a crate need not promise.
struct SplitMix(u64);

impl SplitMix {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        let mut generator = SplitMix(1_234_567);
        assert_eq!([generator.next(), generator.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn no_difference_at_all_speaks_for_none() {
        assert_eq!(sign_flip(&[], 0.0, SEED), SignFlip { p: 1.0, seed: None });
        assert_eq!(sign_flip(&[0.0, 0.0], 0.0, SEED), SignFlip { p: 1.0, seed: None });
    }

    #[test]
    fn draws_come_near_enumeration() {
        // Seventeen equal differences are drawn; by enumeration it is a binomial.
        for (up, exact) in [(17, 2.0 / 131_072.0), (13, 0.049_042), (9, 1.0)] {
            let sums: Vec<f64> = (0..17).map(|n| if n < up { 1.0 } else { -1.0 }).collect();
            let found = sign_flip(&sums, sums.iter().sum(), SEED);
            assert!((found.p - exact).abs() < 0.005, "{up}: {found:?}");
            assert_eq!(found.seed, Some(SEED));
        }
    }

    #[test]
    fn another_seed_gives_nearly_the_same() {
        let sums: Vec<f64> = (0..40).map(|n| f64::from(n % 7) / 3.0 - 0.8).collect();
        let total = sums.iter().sum();
        let (one, other) = (sign_flip(&sums, total, SEED), sign_flip(&sums, total, SEED + 1));
        assert!((one.p - other.p).abs() < 0.015, "{one:?} {other:?}");
    }
}
