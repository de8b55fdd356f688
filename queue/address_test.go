package queue_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wapace/wapace/queue"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"bare", "447700900001", "447700900001"},
		{"plus and spaces", "+44 7700 900650", "447700900650"},
		{"every separator", "+44 (7700) 900-65.0", "447700900650"},
		{"plus in brackets", "(+44) 7700 900650", "447700900650"},
		{"double zero", "0044 7700 900650", "447700900650"},
		{"double zero apart", "0-0 44 7700 900650", "447700900650"},
		{"trunk zero in brackets is a digit", "+44 (0)20 7946 0018", "4402079460018"},
		{"seven digits", "6831234", "6831234"},
		{"fifteen digits", "123456789012345", "123456789012345"},
		{"no operator has it", "999999999999999", "999999999999999"},
		{"around it", " \t447700900001\r\n", "447700900001"},
		{"no-break and thin spaces", "+44\u00a07700\u2009900650", "447700900650"},
		{"copied with direction marks", "\u202a+44 7700 900650\u202c", "447700900650"},
		{"zero-width space, soft hyphen, byte order mark", "\ufeff44\u200b7700\u00ad900650", "447700900650"},

		{"Arabic-Indic", "٤٤٧٧٠٠٩٠٠٠٠١", "447700900001"},
		{"Urdu", "+۹۲ ۳۰۰ ۱۲۳۴۵۶۷", "923001234567"},
		{"Devanagari", "९१ ९८७६५ ४३२१०", "919876543210"},
		{"full-width", "８１９０１２３４５６７８", "819012345678"},
		{"bold digits", "𝟒𝟒𝟕𝟕𝟎𝟎𝟗𝟎𝟎𝟎𝟎𝟏", "447700900001"},
		{"mixed scripts", "٤٤77००９００٠٠1", "447700900001"},
		{"double zero in Arabic-Indic", "٠٠٤٤٧٧٠٠٩٠٠٠٠١", "447700900001"},

		{"user", "447700900110@s.whatsapp.net", "447700900110"},
		{"legacy user", "447700900110@c.us", "447700900110"},
		{"server in capitals", "447700900110@S.WhatsApp.NET", "447700900110"},
		{"plus before a server", "+44 7700 900110@c.us", "447700900110"},
		{"dots before a server", "44.7700.900.110@c.us", "447700900110"},
		{"one dot before many digits", "447700.900110@c.us", "447700900110"},
		{"dot before four digits", "44770090.0110@c.us", "447700900110"},
		{"dot before no digit", "447700900110.@c.us", "447700900110"},
		{"around a server", "\u200e447700900110@c.us ", "447700900110"},
		{"device", "447700900110:12@s.whatsapp.net", "447700900110"},
		{"agent and device", "447700900110.0:12@s.whatsapp.net", "447700900110"},
		{"hosted", "447700900001@hosted", "447700900001@hosted"},
		{"hosted with a device", "+44 7700 900001:99@HOSTED", "447700900001@hosted"},

		{"hidden user", "98765@lid", "98765@lid"},
		{"hidden user with a device", "98765.1:3@lid", "98765@lid"},
		{"hidden user of one digit", "0@lid", "0@lid"},
		{"hidden user of twenty digits", "12345678901234567890@lid", "12345678901234567890@lid"},
		{"hidden user in Arabic-Indic", "٩٨٧٦٥@Lid", "98765@lid"},
		{"group", "120363020000000042@g.us", "120363020000000042@g.us"},
		{"group in capitals", "120363020000000042@G.US", "120363020000000042@g.us"},
		{"old group", "447700900001-1400000000@g.us", "447700900001-1400000000@g.us"},
		{"group of 40", strings.Repeat("1", 40) + "@g.us", strings.Repeat("1", 40) + "@g.us"},
		{"256 bytes", strings.Repeat(" ", 244) + "447700900001", "447700900001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, err := queue.ParseAddress(tt.in)
			require.NoError(t, err)
			require.Equal(t, tt.want, a.String())
			require.Equal(t, strings.HasSuffix(tt.want, "@g.us"), a.IsGroup())
			require.Equal(t, !strings.Contains(tt.want, "@"), a.IsPhone())

			again, err := queue.ParseAddress(a.String())
			require.NoError(t, err)
			require.True(t, a == again, "an address read back is equal")
		})
	}
}

func TestParseAddress_Refused(t *testing.T) {
	t.Parallel()
	const (
		inDigits = "write a phone number as digits, with its country code"
		withCode = "write a phone number with its country code"
		servers  = "use s.whatsapp.net, c.us, lid, g.us or hosted, or the number alone"
		human    = "write a phone number or a group"
		noDevice = "leave out what stands between the user and the @"
		noDot    = "write the number without the dot"
		lid      = "write an @lid id as digits only"
		group    = "write a group's id as digits, with at most one - between them"
	)
	tests := []struct{ name, in, value, reason, remedy string }{
		{"empty", "", ``, "is empty", withCode},
		{"too short", "12", `**`, "has only 2 digits", "write the whole number, with its country code"},
		{"one digit", "7", `*`, "has only 1 digit", "write the whole number, with its country code"},
		{"six digits", "447700", `******`, "has only 6 digits", "write the whole number, with its country code"},
		{"too long", "44770090012345678901", `4477**************01`, "has 20 digits", "use at most 15 with the country code, or end a group's id with @g.us"},
		{"sixteen digits", "1234567890123456", `1234**********56`, "has 16 digits", "use at most 15 with the country code, or end a group's id with @g.us"},
		{"trunk zero", "0770 0900123", `0770 *****23`, "starts with 0", "write the country code in place of the leading 0"},
		{"zero after the plus", "+0447700900001", `+0447*******01`, "starts with 0", "write the country code in place of the leading 0"},
		{"double zero after the plus", "+00447700900001", `+0044********01`, "starts with 0", "write the country code in place of the leading 0"},
		{"three zeros", "000447700900001", `0004*********01`, "starts with 0", "write the country code in place of the leading 0"},
		{"letter", "4477009A0123", `4477***A**23`, "has the letter 'A'", inDigits},
		{"Cyrillic letter", "447700900О01", `4477*****О01`, "has the letter 'О'", inDigits},
		{"link", "tel:+447700900001", `tel:+4477******01`, "has the letter 't'", inDigits},
		{"unknown server", "447700900001@example.com", `4477******01@example.com`, `has the unknown server "example.com"`, servers},
		{"unknown server in capitals", "447700900001@EXAMPLE.ZA", `4477******01@EXAMPLE.ZA`, `has the unknown server "example.za"`, servers},
		{"status", "status@broadcast", `status@broadcast`, "is the status list, not a recipient", human},
		{"status in capitals", "Status@Broadcast", `Status@Broadcast`, "is the status list, not a recipient", human},
		{"broadcast list", "1400000000@broadcast", `1400****00@broadcast`, "is a broadcast list, not a recipient", human},
		{"channel", "120363020000000042@newsletter", `1203************42@newsletter`, "is a channel, not a recipient", human},

		{"blank", " \t\u00a0\u200b", "   \ufffd", "has no digits", withCode},
		{"only separators", "+ (.) - ", `+ (.) - `, "has no digits", withCode},
		{"only double zero", "00", `**`, "has no digits", withCode},
		{"NUL", "447700\x00900001", "4477**\ufffd****01", `has the character '\x00'`, inDigits},
		{"only NUL", "\x00", "\ufffd", `has the character '\x00'`, inDigits},
		{"escape", "\x1b[31m447700900001", "\ufffd[31m44********01", `has the character '\x1b'`, inDigits},
		{"invalid UTF-8", "447700900001\xff", "4477******01\ufffd", "is not valid UTF-8", "save the text as UTF-8"},
		{"two numbers", "447700900001,447700900002", `4477********,**********02`, "has the character ','", inDigits},
		{"two pluses", "++447700900001", `++4477******01`, "has the character '+'", inDigits},
		{"plus inside", "44+7700900001", `44+77******01`, "has the character '+'", inDigits},
		{"superscript", "44770090000¹", `4477*****00¹`, "has the character '¹'", inDigits},
		{"circled digit", "44770090000①", `4477*****00①`, "has the character '①'", inDigits},
		{"device without a server", "447700900001:12", `4477********:12`, "has the character ':'", inDigits},
		{"257 bytes", strings.Repeat("4", 257), "4444" + strings.Repeat("*", 60) + "...", "is longer than 256 bytes", "write one address"},

		{"two ats", "447700900001@c.us@c.us", `4477******01@c.us@c.us`, "has more than one @", "write one address"},
		{"only at", "@", `@`, "has nothing after the @", "write the number alone, or the server it belongs to"},
		{"no server", "447700900001@", `4477******01@`, "has nothing after the @", "write the number alone, or the server it belongs to"},
		{"no user", "@s.whatsapp.net", `@s.whatsapp.net`, "has no digits", withCode},
		{"server is a number", "447700900001@447700900002", `4477********@**********02`, `has the unknown server "4477******02"`, servers},
		{"server with NUL", "447700900001@c.us\x00", "4477******01@c.us\ufffd", "has the unknown server \"c.us\ufffd\"", servers},
		{"server with a space", "447700900001@ c.us", `4477******01@ c.us`, `has the unknown server " c.us"`, servers},
		{"long s in the server", "447700900001@c.uſ", `4477******01@c.uſ`, `has the unknown server "c.uſ"`, servers},
		{"full-width at", "447700900001＠c.us", `4477******01＠c.us`, "has the character '＠'", inDigits},
		{"hosted hidden user", "98765@hosted.lid", `*****@hosted.lid`, `has the unknown server "hosted.lid"`, servers},
		{"bot", "13135550002@bot", `1313*****02@bot`, `has the unknown server "bot"`, servers},
		{"Messenger", "13135550002@msgr", `1313*****02@msgr`, `has the unknown server "msgr"`, servers},
		{"short user", "12@c.us", `**@c.us`, "has only 2 digits", "write the whole number, with its country code"},
		{"official account", "0@s.whatsapp.net", `*@s.whatsapp.net`, "starts with 0", "write the country code in place of the leading 0"},
		{"letter in a user", "x447700900001@c.us", `x4477******01@c.us`, "has the letter 'x'", inDigits},
		{"hosted letter", "shop@hosted", `shop@hosted`, "has the letter 's'", inDigits},

		{"agent or separator", "447700900001.0@s.whatsapp.net", `4477*******1.0@s.whatsapp.net`, "has a dot that may begin an agent or only separate digits", noDot},
		{"three digits after the dot", "447700900.001@c.us", `4477*****.*01@c.us`, "has a dot that may begin an agent or only separate digits", noDot},
		{"two dots before few digits", "447700900001.0.1@c.us", `4477********.0.1@c.us`, "has a dot that may begin an agent or only separate digits", noDot},
		{"agent or separator, then blank", "447700900001.0\u200b@c.us", "4477*******1.0\ufffd@c.us", "has a dot that may begin an agent or only separate digits", noDot},
		{"device is not a number", "447700900001:x@c.us", `4477******01:x@c.us`, "has an agent or device that cannot be read", noDevice},
		{"no device", "447700900001:@c.us", `4477******01:@c.us`, "has an agent or device that cannot be read", noDevice},
		{"two devices", "447700900001:1:2@c.us", `4477********:1:2@c.us`, "has an agent or device that cannot be read", noDevice},
		{"device of six digits", "447700900001:123456@c.us", `4477********:****56@c.us`, "has an agent or device that cannot be read", noDevice},
		{"agent of four digits", "447700900001.1234:1@c.us", `4477********.***4:1@c.us`, "has an agent or device that cannot be read", noDevice},
		{"two agents", "447700900001.0.0:1@c.us", `4477********.*.0:1@c.us`, "has an agent or device that cannot be read", noDevice},

		{"hidden user without id", "@lid", `@lid`, "has no digits", lid},
		{"hidden user with a plus", "+98765@lid", `+*****@lid`, "has the character '+'", lid},
		{"hidden user with a letter", "98765x@lid", `*****x@lid`, "has the letter 'x'", lid},
		{"hidden user with a dot", "98765.1@lid", `*****.*@lid`, "has the character '.'", lid},
		{"hidden user too long", "123456789012345678901@lid", `1234***************01@lid`, "has 21 digits", "use at most 20 before @lid"},
		{"hidden user with a bad device", "98765:@lid", `*****:@lid`, "has an agent or device that cannot be read", noDevice},

		{"group without id", "@g.us", `@g.us`, "has no digits", group},
		{"group of a dash", "-@g.us", `-@g.us`, "has no digits", group},
		{"group with a dash first", "-1400000000@g.us", `-1400****00@g.us`, "has a - at an end of the id", group},
		{"group with a dash last", "447700900001-@g.us", `4477******01-@g.us`, "has a - at an end of the id", group},
		{"group with two dashes", "4477-0090-0001@g.us", `4477-****-**01@g.us`, "has more than one -", group},
		{"group with a letter", "family@g.us", `family@g.us`, "has the letter 'f'", group},
		{"group with a space", "12036302 0000000042@g.us", `1203**** ********42@g.us`, "has the character ' '", group},
		{"group with a device", "120363020000000042:1@g.us", `1203*************2:1@g.us`, "has the character ':'", group},
		{"group of 41", strings.Repeat("1", 41) + "@g.us", "1111" + strings.Repeat("*", 35) + "11@g.us", "has 41 characters before the @", "use at most 40 before @g.us"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, err := queue.ParseAddress(tt.in)
			require.Zero(t, a)
			require.ErrorIs(t, err, queue.ErrAddress)
			require.Equal(t, &queue.AddressError{Value: tt.value, Reason: tt.reason, Remedy: tt.remedy}, err)
		})
	}
}

func TestAddressError_Error(t *testing.T) {
	t.Parallel()
	_, err := queue.ParseAddress("44770090123x")
	require.EqualError(t, err, `queue: to "4477*****23x": has the letter 'x'; write a phone number as digits, with its country code`)
	_, err = queue.ParseAddress("\"\n")
	require.EqualError(t, err, `queue: to "\" ": has the character '"'; write a phone number as digits, with its country code`)
}

func TestAddress_Zero(t *testing.T) {
	t.Parallel()
	var a queue.Address
	require.Empty(t, a.String())
	require.False(t, a.IsPhone())
	require.False(t, a.IsGroup())
}

func TestParseAddress_Megabyte(t *testing.T) {
	t.Parallel()
	_, err := queue.ParseAddress(strings.Repeat("447700900001@", 1<<20/13))
	require.ErrorIs(t, err, queue.ErrAddress)
	require.Less(t, len(err.Error()), 200)
}

// A number that is dressed up in any way the rules allow is still that number.
func TestParseAddress_Dressed(t *testing.T) {
	t.Parallel()
	zeros := []rune{'0', '٠', '۰', '०', '০', '๐', '０', '𝟎', '𝟶'}
	blanks := []string{"", "", "", " ", "(", ")", ".", "-", "\t", "\u00a0", "\u200e", "\u2066", "\ufeff", "\u00ad"}
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`[1-9][0-9]{6,14}`).Draw(t, "number")
		dress := func(s string) string {
			var b strings.Builder
			for _, r := range s {
				b.WriteString(rapid.SampledFrom(blanks).Draw(t, "blank"))
				b.WriteRune(rapid.SampledFrom(zeros).Draw(t, "zero") + r - '0')
			}
			return b.String() + rapid.SampledFrom(blanks).Draw(t, "blank")
		}
		text := rapid.SampledFrom([]string{"", "+", "\u202a(+", "00", "٠٠", "0 0"}).Draw(t, "prefix") + dress(number)

		a, err := queue.ParseAddress(text)
		require.NoError(t, err)
		require.Equal(t, number, a.String())
		require.True(t, a.IsPhone())
	})
}

// Text made of the pieces that addresses are made of reaches every rule.
func TestParseAddress_AnyText(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{
		"4", "0", "00", "447700900001", "7700", "٤", "４", "+", "-", ".", ":", "@", " ", "(", ")", "x", "é", "\x00", "\xff", "\u200b",
		"@s.whatsapp.net", "@C.US", "@lid", "@g.us", "@hosted", "@broadcast", "@newsletter", "@example.com", ".0:12", ":3",
	})
	rapid.Check(t, func(t *rapid.T) {
		checkAddress(t, strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "pieces"), ""))
	})
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{
		"", "447700900001", "+44 (7700) 900-65.0", "0044 7700 900650", "٤٤٧٧٠٠٩٠٠٠٠١", "８１９０１２３４５６７８",
		"447700900001:12@s.whatsapp.net", "447700900001.0:12@c.us", "447700900001@HOSTED", "98765@lid",
		"447700900001-1400000000@g.us", "status@broadcast", "\ufeff\u202a447700900001\u202c", "a\x00\xff@@",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) { checkAddress(t, s) })
}

var canonical = regexp.MustCompile(`^([1-9][0-9]{6,14}(@hosted)?|[0-9]{1,20}@lid|[0-9]+(-[0-9]+)?@g\.us)$`)

// checkAddress holds for every text: either a canonical address that reads back
// as itself, or an error that explains, prints and gives no number away.
func checkAddress(t require.TestingT, s string) {
	a, err := queue.ParseAddress(s)
	if err == nil {
		require.Regexp(t, canonical, a.String())
		again, err := queue.ParseAddress(a.String())
		require.NoError(t, err)
		require.Equal(t, a, again)
		return
	}
	require.Zero(t, a)
	require.ErrorIs(t, err, queue.ErrAddress)
	var bad *queue.AddressError
	require.ErrorAs(t, err, &bad)
	require.NotEmpty(t, bad.Reason)
	require.NotEmpty(t, bad.Remedy)

	digits := 0
	for _, r := range bad.Value {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	require.LessOrEqual(t, digits, 6)
	require.True(t, utf8.ValidString(err.Error()))
	for _, r := range err.Error() {
		require.True(t, unicode.IsPrint(r), "%U", r)
	}
}

//nolint:paralleltest // testing.AllocsPerRun counts for the whole process
func TestParseAddress_Allocations(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want float64
	}{
		{"447700900001", 0},
		{"120363020000000042@g.us", 0},
		{"447700900001@hosted", 0},
		{"98765@lid", 0},
		{"+44 7700 900001", 1},
		{"447700900001@s.whatsapp.net", 1},
		{"٤٤٧٧٠٠٩٠٠٠٠١", 1},
	} {
		require.InDelta(t, tt.want, testing.AllocsPerRun(100, func() {
			if _, err := queue.ParseAddress(tt.in); err != nil {
				t.Error(err)
			}
		}), 0, tt.in)
	}
}

func BenchmarkParseAddress(b *testing.B) {
	for _, bench := range []struct{ name, in string }{
		{"canonical", "447700900001"},
		{"spaced", "+44 7700 900001"},
		{"device", "447700900001:12@s.whatsapp.net"},
		{"group", "120363020000000042@g.us"},
		{"Arabic-Indic", "٤٤٧٧٠٠٩٠٠٠٠١"},
		{"refused", "4477009A0123"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = queue.ParseAddress(bench.in)
			}
		})
	}
}
