// Package dice draws the library's random numbers. A draw is a pure function of
// (seed, account, what, n): asking twice never draws twice, a replay repeats, and
// a draw of the future can be looked at today.
//
// An account's key is SipHash-2-4 of its name under the 128-bit key (seed,
// [keyHalf]). A draw is SipHash-2-4, under the key (account's key, [keyHalf]), of
// 16 bytes, little endian: SipHash-2-4 of what is drawn under the key (0,
// [keyHalf]), and n. So whoever keeps an account's key keeps its draws, without
// the seed and without those of others. The function is frozen, because replays
// and replicas have to agree; a golden test holds it.
package dice

import (
	crand "crypto/rand"
	"encoding/binary"
	"math/bits"
	"time"
)

// keyHalf is the second half of every key.
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

// Account is the key to the draws of an account.
func (d Dice) Account(name string) Account {
	return Account(sipString(d.seed, keyHalf, name))
}

// An Account is the key to one account's draws. It is as secret as they are.
type Account uint64

// Hash is a name that stands for a text among those of the account.
func (a Account) Hash(text string) uint64 { return sipString(uint64(a), keyHalf, text) }

// Name is what is drawn, such as a rule's name, as draws take it. Whoever draws
// often keeps it.
func Name(what string) uint64 { return sipString(0, keyHalf, what) }

// Uint64 is draw n of what, given by its [Name].
func (a Account) Uint64(what, n uint64) uint64 {
	return sip2(uint64(a), keyHalf, what, n)
}

// Between is draw n of what, given by its [Name], spread evenly from lo to hi, both
// included. Where hi is not above lo it is lo.
func (a Account) Between(lo, hi time.Duration, what, n uint64) time.Duration {
	if hi <= lo {
		return lo
	}
	span := uint64(hi) - uint64(lo) + 1
	if span == 0 {
		return time.Duration(a.Uint64(what, n))
	}
	// A draw times span, over 2^64: even to within span/2^64.
	offset, _ := bits.Mul64(a.Uint64(what, n), span)
	return time.Duration(uint64(lo) + offset)
}
