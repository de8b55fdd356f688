package main

// limited are those that a test of package limiter is to notice.
func limited() []trial {
	return []trial{
		{mutant{
			"a portfolio that was restored is given back to", "limiter/restore.go",
			"	a.turn++ // what was taken",
			"	// what was taken",
		}, "TestUnsentAfterItsPortfolioWasRestored"},
		{mutant{
			"a recipient is given back who was sighted again", "limiter/recipients.go",
			" && s.index[i]&again == 0",
			"",
		}, "TestTwoPermitsForOneRecipient"},
		{mutant{
			"a recipient is given back who counted already", "limiter/uniquerecipients.go",
			"return !counted",
			"return counted || !counted",
		}, "TestUniqueRecipientsAgainstAllSends"},
		{mutant{
			"a charge is given back that has left its chunk", "limiter/chunkedwindow.go",
			" || since(end.tick, r.at.tick) >= m.window",
			"",
		}, "TestAChargeThatHasLeftAChunkedWindowStays"},
		{mutant{
			"a smaller window forgets", "limiter/slidingwindow.go",
			"over = append(over, spending{spent[first].tick, more})",
			"",
		}, "TestWindowThatShrinksForgetsNothingOfAnySize"},
		{mutant{
			"a calendar window that was given back opens an earlier one", "limiter/calendarwindow.go",
			"used = m.max",
			"used = 0",
		}, "TestClockThatStepsBack"},
		{mutant{
			"a portfolio is told the account's time", "limiter/permit.go",
			"at = l.reach(other, d.account, l.plan, ofPortfolio, given)",
			"at = l.reach(other, d.account, l.plan, ofPortfolio, end)",
		}, "TestAPortfolioHasAClockOfItsOwn"},
		{mutant{
			"what a recipient has left stays when the clock is set back", "limiter/holder.go",
			"s.rewindRests(owner{i, p.recipient}, pairKey(p.recipient), a.last, again.tick)",
			"",
		}, "TestRestsFollowAClockThatIsSetBack"},
		{mutant{
			"a check for a time long past restarts waits", "limiter/holder.go",
			"case peek && at.setBack(a.last, a.steady):",
			"case peek && at.known() && false:",
		}, "TestLookingBackChangesNothing"},
		{mutant{
			"a debt of centuries wraps around", "limiter/tokenbucket.go",
			"min(since(w[0], now), math.MaxInt64)",
			"since(w[0], now)",
		}, "TestDebtOfCenturiesIsNotForgotten"},
		{mutant{
			"totals that come round are told apart by their last", "limiter/chunkedwindow.go",
			" || total-s.words[2] < 0",
			"",
		}, "TestSnapshotThatDoesNotAgreeWithItselfIsRefused"},
		{mutant{
			"an account that was restored is never forgotten", "limiter/forget.go",
			"if l.plan.draws && a.dice",
			"if a.dice",
		}, "TestRestoreKeepsMoreThanThereIsRoomFor"},
	}
}
