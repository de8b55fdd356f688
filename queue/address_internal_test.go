package queue

import (
	"fmt"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// The value of a digit is its distance from the start of its range, modulo ten.
// That is right only while every range starts at a 0 and ends at a 9.
func TestDecimal_RangesAreWholeRuns(t *testing.T) {
	t.Parallel()
	check := func(lo, hi, stride uint32) {
		t.Helper()
		name := fmt.Sprintf("%U to %U", lo, hi)
		require.EqualValues(t, 1, stride, name)
		require.Zero(t, (hi-lo+1)%10, name)
		require.False(t, unicode.Is(unicode.Nd, rune(lo)-1), name)
		require.False(t, unicode.Is(unicode.Nd, rune(hi)+1), name)
	}
	for _, run := range unicode.Nd.R16 {
		check(uint32(run.Lo), uint32(run.Hi), uint32(run.Stride))
	}
	for _, run := range unicode.Nd.R32 {
		check(run.Lo, run.Hi, run.Stride)
	}
}

func TestDecimal_EveryRune(t *testing.T) {
	t.Parallel()
	next := byte('0')
	for r := rune(0); r <= unicode.MaxRune; r++ {
		got, ok := decimal(r)
		if want := unicode.Is(unicode.Nd, r); ok != want {
			t.Fatalf("decimal(%U) is %v, want %v", r, ok, want)
		}
		if !ok {
			if next != '0' {
				t.Fatalf("a run of digits ends before %U with the next due %c", r, next)
			}
			continue
		}
		if got != next {
			t.Fatalf("decimal(%U) = %c, want %c", r, got, next)
		}
		if next++; next > '9' {
			next = '0'
		}
	}
}

func TestDecimal_Zeros(t *testing.T) {
	t.Parallel()
	for name, zero := range map[string]rune{
		"ASCII":            '0',
		"Arabic-Indic":     '٠',
		"Persian and Urdu": '۰',
		"Devanagari":       '०',
		"Bengali":          '০',
		"Tamil":            '௦',
		"Thai":             '๐',
		"Khmer":            '០',
		"full-width":       '０',
		"bold":             '𝟎',
		"monospace":        '𝟶',
	} {
		for i := range rune(10) {
			got, ok := decimal(zero + i)
			require.True(t, ok, name)
			require.Equal(t, string('0'+i), string(rune(got)), name)
		}
	}
}
