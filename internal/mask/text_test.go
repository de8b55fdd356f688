package mask_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/internal/mask"
)

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"no digits", "connection reset", "connection reset"},
		{"a number in a sentence", "no account for 447700900001: gone", "no account for 4477******01: gone"},
		{"two numbers", "447700900001 is not 447700900002", "4477******01 is not 4477******02"},
		{"number alone", "44770012323", "4477*****23"},
		{"eight digits", "id 12345678", "id 1234**78"},
		{"seven digits stay", "code 1234567", "code 1234567"},
		{"status codes and ports stay", "dial 127.0.0.1:8080: status 503", "dial 127.0.0.1:8080: status 503"},
		{"Arabic-Indic", "رقم ٤٤٧٧٠٠٩٠٠٠٠١", "رقم ٤٤٧٧******٠١"},
		{"international", "no account for +44 7700 900000: gone", "no account for +44 77** ****00: gone"},
		{"a trunk zero", "(0)7700-900-000 is not there", "(0)770*-***-*00 is not there"},
		{"both", "to +44 (0)7700 900-000.", "to +44 (0)7*** ***-*00."},
		{"national", "07700 900123", "0770* ****23"},
		{"in pairs", "au 06 12 34 56 78", "au 06 12 ** ** 78"},
		{"American", "call (555) 123-4567 or 555.123.4567 or 1-800-555-0199", "call (555) 1**-**67 or 555.1**.**67 or 1-800-***-**99"},
		{"no-break spaces and dashes", "44\u00a07700\u2011900\u2013000", "44 77**\u2011***\u2013*00"},
		{"two in a row", "44 7700 900001 44 7700 900002", "44 77** ****** ** **** ****02"},
		{"quoted", `{"to":"+44-7700-900000"}`, `{"to":"+44-77**-****00"}`},
		{"after a colon", "to:7700-900-000", "to:7700-***-*00"},
		{"after a date", "2026-11-28 +44 7700 900000", "2026-11-28 +44 77** ****00"},
		{"after a time", "04:18:06 7700-900-000", "04:18:06 7700-***-*00"},
		{"after an address", "10.0.0.12 447700900001", "10.0.0.12 4477******01"},
		{"dates stay", "from 2026-11-28 to 2026.11.30, 28.11.2026 or 11/28/2026, 2026-2027", "from 2026-11-28 to 2026.11.30, 28.11.2026 or 11/28/2026, 2026-2027"},
		{"times stay", "at 2026-11-28 04:18:06.123456789 +0000 UTC, 2026-01-05T08:00:00.123456789Z, 08:00:00.000000001", "at 2026-11-28 04:18:06.123456789 +0000 UTC, 2026-01-05T08:00:00.123456789Z, 08:00:00.000000001"},
		{"versions stay", "v0.0.0-20250101123456-abcdef012345, go1.26.8, 2.3000.1015901307, 10.0.19045.3803", "v0.0.0-20250101123456-abcdef012345, go1.26.8, 2.3000.1015901307, 10.0.19045.3803"},
		{"addresses stay", "dial tcp 192.168.100.200:50051: i/o timeout", "dial tcp 192.168.100.200:50051: i/o timeout"},
		{"ids stay", "order-2026-0001-4711, 2026-0001-4711-b, lane_1234-5678, 123e4567-e89b-12d3-a456-426614174000", "order-2026-0001-4711, 2026-0001-4711-b, lane_1234-5678, 123e4567-e89b-12d3-a456-426614174000"},
		{"counts stay", "1 2 3 4 5 6 7 8 of 10; 1000 of 2000; 12345.6789 s", "1 2 3 4 5 6 7 8 of 10; 1000 of 2000; 12345.6789 s"},
		{"a long run is cut", "n=" + strings.Repeat("4", 100) + " end", "n=4444" + strings.Repeat("*", 60) + "... end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, mask.Text(tt.in))
		})
	}
}

// However a number is written, whatever stands around it, no more than its first four
// and last two digits are shown.
func TestText_AnyWayOfWriting(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching("[4-9][0-9]{7,14}").Draw(t, "digits")
		separators := rapid.SampledFrom([]string{" ", "-", "\u00a0", ") ", " (", "-(", ")"})
		written := rapid.SampledFrom([]string{"+", "(", "00 "}).Draw(t, "before")
		for i := 0; i < len(digits); {
			n := min(rapid.IntRange(2, 4).Draw(t, "group"), len(digits)-i)
			if len(digits)-i-n == 1 {
				n++
			}
			if i > 0 {
				written += separators.Draw(t, "separator")
			}
			written += digits[i : i+n]
			i += n
		}
		around := rapid.SampledFrom([]string{"%s", "no %s: gone", "[%s]", "'%s'", "2026-11-28T04:18:06Z %s", "at 04:18 %s."}).Draw(t, "around")
		shown := len(digitsOf(mask.Text(fmt.Sprintf(around, written)))) - len(digitsOf(fmt.Sprintf(around, "")))
		require.LessOrEqual(t, shown, 6, "%s", mask.Text(written))
	})
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "+44 7700 900000", "2026-11-28 04:18:06.123456789 +0000 UTC", "v1.2.3", "\xff1\xff", "((((1))))"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := mask.Text(s)
		require.LessOrEqual(t, len(digitsOf(got)), len(digitsOf(s)))
		if len(digitsOf(s)) < 8 {
			require.Equal(t, s, got)
		}
	})
}

func BenchmarkText(b *testing.B) {
	for _, s := range []string{"dial tcp 192.168.100.200:50051: no account for +44 7700 900000", strings.Repeat("4 ", 1<<19)} {
		b.Run(s[:4], func(b *testing.B) {
			for b.Loop() {
				mask.Text(s)
			}
		})
	}
}
