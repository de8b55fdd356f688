package mask_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/internal/mask"
)

func TestPhone(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"eleven digits", "44770012323", "4477*****23"},
		{"twelve digits", "447700900001", "4477******01"},
		{"eight digits hide two", "12345678", "1234**78"},
		{"seven digits hide all", "1234567", "*******"},
		{"one digit", "7", "*"},
		{"separators stay", "+44 (7700) 900-123", "+44 (77**) ***-*23"},
		{"few digits among text", "agent 007", "agent ***"},
		{"a letter inside", "4477009A0123", "4477***A**23"},
		{"no digits", "status@broadcast", "status@broadcast"},
		{"server stays", "120363020000000042@g.us", "1203************42@g.us"},
		{"device digits are the last", "447700900001:12@s.whatsapp.net", "4477********:12@s.whatsapp.net"},
		{"two numbers", "447700900001,447700900002", "4477********,**********02"},
		{"Arabic-Indic", "٤٤٧٧٠٠٩٠٠٠٠١", "٤٤٧٧******٠١"},
		{"full-width, a star per digit", "４４７７００９００００１", "４４７７******０１"},
		{"outside the basic plane", "𝟒𝟒𝟕𝟕𝟎𝟎𝟗𝟎𝟎𝟎𝟎𝟏", "𝟒𝟒𝟕𝟕******𝟎𝟏"},
		{"few digits of another script", "٤٤٧", "***"},
		{"superscripts are not decimal digits", "x²", "x²"},
		{"NUL", "4477009\x0000001", "4477***\ufffd***01"},
		{"escape sequence", "\x1b[2J447700900001", "\ufffd[2J447*******01"},
		{"line ends", "447700900001\r\nfaked line", "4477******01  faked line"},
		{"no-break space", "44\u00a07700\u00a0900001", "44 77** ****01"},
		{"right-to-left override", "\u202e447700900001", "\ufffd4477******01"},
		{"byte order mark", "\ufeff447700900001", "\ufffd4477******01"},
		{"invalid UTF-8", "4477\xff00900001", "4477\ufffd******01"},
		{"64 bytes stay whole", strings.Repeat("x", 64), strings.Repeat("x", 64)},
		{"65 bytes are cut", strings.Repeat("x", 65), strings.Repeat("x", 64) + "..."},
		{"cut between characters", strings.Repeat("x", 63) + "é", strings.Repeat("x", 63) + "..."},
		{"stars can make it fit", strings.Repeat("４", 30), "４４４４" + strings.Repeat("*", 24) + "４４"},
		{"digits beyond the cut count", "447700900001" + strings.Repeat("x", 80) + "99", "4477********" + strings.Repeat("x", 52) + "..."},
		{"the last two are beyond the cut", strings.Repeat("4", 80), "4444" + strings.Repeat("*", 60) + "..."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, mask.Phone(tt.in))
		})
	}
}

func TestPhone_AnyText(t *testing.T) {
	t.Parallel()
	parts := rapid.SampledFrom([]string{
		"4", "7", "0", "44", "7700900", "٤", "४", "４", "𝟒", "²", " ", "+", "-", "(", "@g.us", "x", "é", "Ж", "\u00a0", "\u202e", "\x00", "\x1b", "\n", "\xff", "\xe2\x82",
	})
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOfN(parts, 0, 60).Draw(t, "parts"), "")
		got := mask.Phone(in)

		require.True(t, utf8.ValidString(got))
		require.LessOrEqual(t, len(got), 64+len("..."))
		for _, r := range got {
			require.True(t, unicode.IsPrint(r), "%U", r)
		}

		all, shown := digitsOf(in), digitsOf(got)
		if len(all) < 8 {
			require.Empty(t, shown)
			return
		}
		require.LessOrEqual(t, len(shown), 6)
		first := min(4, len(shown))
		require.Equal(t, string(all[:first]), string(shown[:first]))
		require.Equal(t, string(all[len(all)-2:][:len(shown)-first]), string(shown[first:]))

		if len(got) <= 64 {
			require.Equal(t, utf8.RuneCountInString(in), utf8.RuneCountInString(got), "each character has one in its place")
			require.Equal(t, len(all)-6, strings.Count(got, "*"))
		}
	})
}

func TestPhone_Megabyte(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"4", "x", "٤", "\xff", "\x00"} {
		got := mask.Phone(strings.Repeat(unit, 1<<20/len(unit)))
		require.LessOrEqual(t, len(got), 67)
		require.True(t, strings.HasSuffix(got, "..."))
		require.LessOrEqual(t, len(digitsOf(got)), 4)
	}
}

func digitsOf(s string) []rune {
	var found []rune
	for _, r := range s {
		if unicode.IsDigit(r) {
			found = append(found, r)
		}
	}
	return found
}

func BenchmarkPhone(b *testing.B) {
	for _, bench := range []struct{ name, in string }{
		{"number", "447700900001"},
		{"megabyte", strings.Repeat("4", 1<<20)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mask.Phone(bench.in)
			}
		})
	}
}
