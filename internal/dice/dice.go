// Package dice draws the library's random numbers. A draw is a pure function of
// (seed, account, what, n): asking twice never draws twice, a replay repeats, and
// a draw of the future can be looked at today.
//
// The function is SipHash-2-4 under the 128-bit key (seed, [keyHalf]) over 24
// bytes, little endian: SipHash-2-4 of the account, SipHash-2-4 of what is drawn,
// and n. It is frozen, because replays and replicas have to agree; a golden test
// holds it.
package dice

import (
	crand "crypto/rand"
	"encoding/binary"
	"math/bits"
	"time"
)

// keyHalf is the second half of every key; the seed is the first.
const keyHalf = 0x7761706163650001

// Dice draws under one seed. The zero Dice draws under seed 0. A Dice is a value
// without state: all may use it at once.
type Dice struct {
	seed uint64
}

// New returns the dice of a seed. Seed zero stands for a secret seed, drawn from
// the operating system.
func New(seed uint64) Dice {
	for seed == 0 {
		var b [8]byte
		crand.Read(b[:]) // never fails: it ends the program where the system has no randomness
		seed = binary.LittleEndian.Uint64(b[:])
	}
	return Dice{seed: seed}
}

// Name is the share of a draw that depends on a text alone, an account's or a
// rule's name. Whoever draws often keeps it.
func (d Dice) Name(s string) uint64 {
	return sipString(d.seed, keyHalf, s)
}

// Uint64 is draw n of what, for account; both are given by their [Dice.Name].
func (d Dice) Uint64(account, what, n uint64) uint64 {
	return sip3(d.seed, keyHalf, account, what, n)
}

// Between is draw n of what, for account, spread evenly from lo to hi, both
// included. Where hi is not above lo it is lo.
func (d Dice) Between(lo, hi time.Duration, account, what, n uint64) time.Duration {
	if hi <= lo {
		return lo
	}
	span := uint64(hi) - uint64(lo) + 1
	if span == 0 {
		return time.Duration(d.Uint64(account, what, n))
	}
	// A draw times span, over 2^64: even to within span/2^64.
	offset, _ := bits.Mul64(d.Uint64(account, what, n), span)
	return time.Duration(uint64(lo) + offset)
}
