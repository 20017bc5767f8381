"""What people write down after a call, a meeting, or a thought. Filled with str.format: who, account, project, city."""

CALL_SUBJECTS: tuple[str, ...] = (
    "Call with {who}", "Intro call", "Follow-up on {project}", "Pricing question", "Called about {project}",
    "Check-in with {account}", "Timeline for {project}", "Question about maintenance", "Callback", "Reference call",
)  # fmt: skip

CALL_BODIES: tuple[str, ...] = (
    "{who} walked me through the night shift: two people carry what one robot could.",
    "Pain is unplanned downtime in {city}, about six hours a week. Finance wants pay-back under 18 months.",
    "They compared us with a conveyor upgrade. The conveyor is cheaper in year one and dearer from year three.",
    "{who} asked for a leasing option. I promised numbers by the end of the week.",
    "Budget is released in the new quarter. Nothing moves before that, but the need is real.",
    "Good conversation. {who} wants to see a running site before talking to the board.",
    "Procurement at {account} needs three offers. We are the only one with service within a day's drive.",
    "{who} is worried about the union. Agreed to bring the safety file and two references.",
    "The current vendor raised prices by nine per cent. {account} is open to a switch in spring.",
    "Short call: floor plan is coming, then we can size {project}.",
    "{who} will join the demo and bring the IT architect. Network segmentation is the open point.",
    "They had a bad pilot with somebody else two years ago. What counts is a fixed date and a named engineer.",
    "Asked how fast a failed unit is replaced. Answer: next working day, spare on site for fleets above ten.",
    "Talked through the contract. Liability cap is the only clause {account} wants changed.",
)  # fmt: skip

NO_ANSWER: tuple[str, ...] = (
    "No answer, will try again tomorrow morning.", "Left a message about {project}.", "Line busy twice.",
    "Assistant says {who} is travelling until Thursday.", "Went to voicemail; sent a short mail instead.",
)  # fmt: skip

NOTE_SUBJECTS: tuple[str, ...] = (
    "", "", "", "Site notes, {city}", "Who decides at {account}", "Competition", "Budget", "From the trade fair",
    "Hand-over", "Open questions",
)  # fmt: skip

NOTE_BODIES: tuple[str, ...] = (
    "Met their CFO at the port event. He asked about operating lease; worth adding to the proposal.",
    "{who} prefers short mails with one question each.",
    "Decision needs two signatures above 100k: plant and finance.",
    "{account} opens a new hall in {city} next year. That is the moment for {project}.",
    "The floor in hall 2 has a 3 per cent slope: check wheel torque before we promise anything.",
    "They run on an old warehouse system without an interface. Plan two weeks for the adapter.",
    "Competitor quoted 15 per cent lower, without commissioning. Make that visible in our offer.",
    "{who} moved over from logistics and knows our fleet from the last job. Friendly.",
    "Works council meets on the first Tuesday of the month; the topic must be on the agenda two weeks earlier.",
    "Ceiling height 4.2 m, two fire doors on the route. Photos are in the shared folder.",
    "Fiscal year ends in March. What is not signed by February waits until summer.",
    "Ask about {project} again after the summer shutdown.",
    "Peak is six weeks before the holidays. Nobody will touch the line then.",
    "They want one contact person for sales and service. Suggested Maya and the service desk in {city}.",
    "Reference visit went well: what impressed them was how quiet the hall is.",
    "Insurance asks for a risk analysis of the charging corner. Sent our template.",
)  # fmt: skip

MEETING_SUBJECTS: tuple[str, ...] = (
    "Site walk-through, {city}", "Discovery workshop", "Demo with operations", "Steering meeting", "Proposal review",
    "Technical Q&A", "Kick-off", "Contract review", "Quarterly review", "Lunch with {who}",
)  # fmt: skip

MEETING_BODIES: tuple[str, ...] = (
    "Agreed the scope: {city} first, the other sites after three months. Success is downtime under two hours a week.",
    "Walked the line with {who}. Bottleneck is the hand-over between packing and dock, not the picking.",
    "Demo on live data. Questions were about alerts by text message and about who may stop a robot.",
    "Went through the proposal page by page. Price per vehicle is fine; commissioning is seen as high.",
    "IT wants a separate network and single sign-on. Both fine, need it in writing.",
    "Showed the return calculation: 16 months with the cautious numbers. Finance will check the energy part.",
    "{who} presented our idea to the board of {account}. Next step is a two-week trial.",
    "Trial results: 11 per cent more picks an hour, one jam in two weeks. They want the jam explained.",
    "Talked about service levels. They choose next-day, with a spare unit on site.",
    "Redlines from legal are down to four. Two of them are about data, two about notice periods.",
    "Met the shift leads. They asked good questions and would rather start in the night shift.",
    "Project plan agreed, 14 weeks from order to first robot. Racking has to be moved by the customer.",
)  # fmt: skip

FOLLOW_UPS: tuple[str, ...] = (
    "", "", "", "Next: send the revised offer.", "Next: date for a site visit.", "I owe them the safety file.",
    "They will come back by Friday.", "Follow up in two weeks.", "Reference call to be arranged.",
    "Asked for the floor plan again.", "Invite the service lead next time.",
)  # fmt: skip

NEXT_STEPS: tuple[str, ...] = (
    "Intro call", "Send overview deck", "Site walk-through", "Call procurement", "Share reference case",
    "Demo with operations", "Draft ROI model", "Review proposal", "Board Q&A", "Chase legal", "Send revised pricing",
    "Redlines back", "Steering call", "Signature", "PO number from finance", "Visit reference site",
    "Confirm go-live date", "Agree trial terms",
)  # fmt: skip

LOST_REASONS: tuple[str, ...] = (
    "Price",
    "Went with a competitor",
    "No budget",
    "No decision",
    "Timing",
    "Missing feature",
)
WON_REASONS: tuple[str, ...] = ("Best fit", "Price", "Service near by", "Reference", "")
CLOSE_NOTES: tuple[str, ...] = (
    "", "", "Decision came from the group's head office.", "Budget went to another plant.",
    "They liked the trial, not the delivery date.", "The named engineer made the difference.",
    "Would reconsider next year.",
)  # fmt: skip

TASK_TITLES: tuple[str, ...] = (
    "Call {who} about {project}", "Send the offer for {project}", "Chase the legal review of {project}",
    "Prepare the demo for {who}", "Answer {who}'s questions about pricing", "Book the site visit for {project}",
    "Ask {who} for the floor plan", "Send two references to {who}", "Draft the pay-back calculation",
)  # fmt: skip
