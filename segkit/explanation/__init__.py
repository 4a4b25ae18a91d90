"""Why one contact is in a segment or not, what would turn that, and when it turns by itself.

Plan, contact  ->  case (the contact's rows)  ->  evaluate  ->  edits (what would flip it), instants (when it flips)
                                                        ->  an `Explanation`
"""
