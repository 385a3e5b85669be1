"""Do groups of people get different outcomes or different errors?"""
